"""Recheck: something that was stated before is looked at again."""

from __future__ import annotations

from srpo.reasoning.patterns import BEGIN, RIGHT, SELF, Rules

_AGAIN = "check|verif|calcul|comput|count|examin|evaluat|consider|read|think|visit|assess|trace"
_STATED = (
    r"answer|solution|result|math|work|calculations?|sum|total|original|conditions?|previous|other"
)
_OBJECTS = (  # what "wait, but" goes on with where it objects to what was just said
    r"that|the (?:question|problem|riddle|premise|user|sequence|initial|answer|original|sum|line"
    r"|first|last|man)|this|no|actually|it|in (?:reality|the)|we|\d|there|he|she|they|isn't|for"
)
_TURNS = (  # and "wait" alone
    r"no\b|actually|that(?:'s|\b)|is (?:that|it|this)|isn't|the (?:problem|question|riddle|user"
    r"|premise|initial|original|statement|sequence|exponent|answer|sum|man|first|last)"
    r"|in (?:the|that)|so (?:in|actually)|let me (?:verify|check|make sure|re|see if|confirm"
    r"|compute|think again|go back)|did (?:I|we)|are (?:all|these|they|we)|\d|\\|\$"
)

RECHECK = Rules(
    {
        "done again": (
            r"\bdouble[- ]?check"
            rf"|{SELF}re-?(?:{_AGAIN})|{SELF}redo\b"
            rf"|\b(?:need|necessary|have|important|want|like|going) to re-?(?:{_AGAIN})"
            r"|\bthink (?:about (?:this|that|it) |this through |through this )?again\b"
            r"|\bthink of .{0,30} again\b|\b(?:go|get) back\b\W*$"
            r"|\bgo (?:back|over)\b.{0,20}\b(?:again|check|steps?|problem|question|original)\b"
            r"|\bcheck (?:again|the steps|my (?:work|answer|math|steps))"
            r"|\b(?:go through|look at|think about|read) .{0,30}\b(?:again|more carefully)\b"
            r"|\bthink more carefully\b"
        ),
        "check announced": (
            rf"{SELF}(?:check|test)(?:\s*[:.!]*\W*$|\s*:|\s+(?:that|this|it|again|my|both|back|these"
            rf"|with|if (?:that|this pattern|it|there)|whether (?:that|this|it)"
            rf"|the (?:{_STATED}))\b)"
            rf"|{SELF}(?:verify|confirm|validate|be (?:sure|certain|thorough))\b"
            rf"|{SELF}make sure(?: (?:that )?(?:I(?:'m| am|'ve| have| did| got| understand)|this"
            r"|that|it|my|we(?:'re|'ve| have| did)|there)\b|\W*$)"
            r"|^\W*(?:step \d+\W*)?(?:confirm|verify|double-check|check|re-?check|re-?evaluat\w+"
            r"|revisit\w*) (?:the (?:answer|result|solution|calculation)|that|this|your|if it"
            r"|the \w+ approach)\b"
            r"|(?:^|[,.;]|\bjust)\W*(?:just )?to (?:verify|confirm|check"
            r"|be (?:sure|certain|thorough)|make sure|ensure (?:accuracy|correctness|this is"
            r"|that this|I|we|my|our))\b"
        ),
        "outcome of a check": (
            rf"{BEGIN}(?:that|this|it|everything|they|these|the (?:answer|result|math|calculation"
            r"|sum|product))\s*(?:(?:all|still|indeed|actually|also|definitely|probably)\s+)*"
            r"(?:'s|is|are|was|isn't|seems?|looks?|sounds?|appears?|must be|can't be"
            r"|doesn't (?:seem|look|sound))\s*"
            r"(?:to be |to |like |not |still |indeed |all |also |quite |about )*"
            rf"{RIGHT}\b(?! (?:angle|triangle|way|side|order|answer|word|to\b|for\b))"
            rf"|{BEGIN}(?:that|this|it|everything) (?:all |also |indeed |still )?(?:checks? out"
            r"|adds? up|doesn't add up|holds? up|matches (?:what|my|the (?:previous|earlier"
            r"|original|given|expected|result|answer))|seems? to (?:fit|work|match|check|hold)"
            r"|confirms?)\b"
            r"|(?:^|[.!,])\W*(?:yes|yeah|no|nope|yep|yup|ok|okay),? (?:so |because )?"
            r"(?:that|this|it)(?:'s| is| seems| works| fits| does|n't| isn't| still| all| can't"
            r"| would|\b)"
            r"|,\s*(?:which|that)(?:'s| is| does)? (?:also |indeed |still |exactly )?(?:correct"
            r"|consistent|matches|checks out|right\b|not (?:right|correct)|wrong|what (?:I|we))"
            rf"|{BEGIN}(?:\S+ )?(?:is|are) indeed\b|{BEGIN}\d\S* is correct\b|^\W*so,? yes\b"
            r"|[\d=)],? (?:also |which is )?correct\b|\bnothing wrong\b|, confirming\b"
            r"|\bto (?:verify|make sure I'm getting this right)\W*$|^\W*(?:after )?checking\b"
        ),
        "own error": (
            r"\b(?:I|I've|we)\s+(?:must have |might have |may have |probably |think I |think we "
            r"|actually )?(?:made (?:a|an) (?:\w+ )?(?:mistake|error)|mis(?:read|took|taken"
            r"|calculat\w+|count\w*|appl\w+|underst\w+|interpret\w+|remember\w*|heard|spoke)"
            r"|was wrong|am wrong|forgot|overlooked|messed up|went too|confused|mixed up"
            r"|double.counted)\b"
            r"|\b(?:there(?:'s| is| was| must be| might be)|made|found|see|spot)"
            r" (?:a|an|my|the|any|no|some) (?:\w+ )?(?:mistake|error)\b"
            r"|\b(?:approach|formula|assumption|method|answer|count) (?:isn't|is not|wasn't"
            r"|might not be) (?:correct|right)\b|\b(?:I'm|I am) mis\w+ing\b"
            r"|\bmy (?:mistake|error|bad|initial|earlier|previous)\b.{0,30}"
            r"\b(?:mistake|wrong|incorrect|error|earlier|was|assumption)\b"
            r"|\b(?:maybe|perhaps|probably) (?:that(?:'s| is)|my|the|I was|we|it was) ?"
            r"(?:\w+ ){0,2}(?:is |was |were |didn't (?:\w+ )?)?"
            r"(?:correct(?:ly)?|right|wrong|a mistake|incorrect)\b"
        ),
        "objection": (
            rf"^\W*(?:(?:but|so|oh|no|hmm+|and)\b\W*)*(?:wait|hold on)\b,?\s*(?:hold on,?\s*)?"
            rf"(?:but (?:{_OBJECTS})|{_TURNS})(?!.{{0,40}}\b(?:maybe|perhaps|another)\b)"
            r"|^\W*but hold on,? (?:are|is|a|the|if|that|\w+ has)\b"
            r"|^\W*(?:(?:but|wait)\b\W*)+the (?:question|problem|riddle|user|prompt)"
            r" (?:specifically |actually |only |just )?(?:says|said|asks|is asking|doesn't|does not"
            r"|mentions|states)\b"
            r"|^\W*(?:but|oh,? but|hmm,?|no,?) (?:actually|wait,? (?:the|that|actually|no"
            r"|in reality|if|we|it|this|let me))\b"
        ),
        "question to oneself": (
            r"\b(?:is|was|are|does|did|isn't|doesn't) (?:that|this|it|my \w+|I) (?:really "
            r"|actually |still )?(?:right|correct|accurate|true|make sense|work|add up|consistent"
            r"|valid|satisfy)\b.*\?"
            r"|\bwhich (?:one|of (?:them|these)) is (?:right|correct)\b"
            r"|\bdid I (?:do|get|make|count|miss|use|add|calculate|read|mis)"
            r"|\bam I (?:sure|right|missing|correct|doing)"
        ),
        "as before": (
            r"\bas (?:I|we) (?:did|had|found|got|thought|calculated|said|considered)"
            r" (?:before|earlier|above|previously)"
            r"|\bsame (?:as|result|answer|thing)(?: as)? (?:I|we|before|earlier)\b"
        ),
    }
)
