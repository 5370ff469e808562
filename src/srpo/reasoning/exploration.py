"""Exploration: another possibility, reading or approach is turned to."""

from __future__ import annotations

from srpo.reasoning.patterns import AHEAD, BEGIN, Rules

_LEADS = (
    r"(?:maybe |perhaps |is there |there(?:'s| is| might be| may be| could be| must be) "
    r"|let me (?:try|think of|consider|see|look for|find) |let's (?:try|think of|consider) "
    r"|I (?:need|should try|could try|can try|wonder if there's) |we (?:need|can try|could try"
    r"|could use) |but |consider |try |step \d+: )*"
)
_IDEA = (
    r"(?:way|ways|approach|approaches|angle|idea|thought|possibilit\w+|method|methods|perspective"
    r"|combinations?|interpretation|factors?|strategy|example|option)"
)
_ANSWER = (  # what "maybe" offers where it offers an answer or a way, and no fact of the world
    r"(?:it(?:'s| is|'d| could| has| can)\b|the (?:answer|key|formula|word|man|first|second|third"
    r"|correct|words|days?|letters?|missing|riddle|problem|question|puzzle|pattern|sequence|number"
    r"|next|street|rule|blank|strategy)\b|(?:I|we) (?:can|could|should (?:try|look|think|consider"
    r"|use)|need)\b"
    r"|there(?:'s| is) (?:something|another|a (?:different|better|way|pattern))|he\b|she\b"
    r"|[\"“'$\\(*]|three|two|instead|starting|something else|somehow|a different|try|trying|use"
    r"|using|if|considering|R\b"
    r"|an? \w+ (?:way|idea|one|number|word|answer)\b|(?:smaller|larger|bigger|negative|positive"
    r"|different|other)\b|[a-z]\s*=|in (?:a|the|terms))"
)
_NO_TRY = (  # "let me try to ..." that tries nothing new
    r"(?! (?:that|this|it)\W*$)(?! to (?:figure|break|outline|recall|understand|list|solve"
    r"|summari[sz]e|clarify|explain|think|write|organize|structure|visuali|remember|make sense"
    r"|go through))"
)

EXPLORATION = Rules(
    {
        "alternatively": rf"{AHEAD}alternative(?:ly\b| (?:way|approach|method|idea|thought))",
        "another way": (
            rf"{BEGIN}{_LEADS}(?:an?other|a different|other|some other|any other|a new) {_IDEA}\b"
            r"|\bthink(?:ing)? (?:differently|outside the box|of (?:it|this) (?:as|in|differently"
            r"|another)|about (?:it|this) (?:as|in terms|differently|in another|from))"
        ),
        "maybe": (
            rf"{BEGIN}(?:maybe|perhaps|possibly)\s+{_ANSWER}"
            r"(?! (?:missing|a bit different|not|correct|right|wrong|overcomplicating|just me))"
            r"|(?:[,;:]|\bbut|\bwait)\s*(?:maybe|perhaps) (?:it(?:'s| is)\b|(?:I|we) (?:can|could"
            r"|should)\b|the (?:answer|key|formula|word)\b|(?:an?|some) (?:\w+ )?(?:way|answer|word"
            r"|idea|approach|number)\b|there(?:'s| is) (?:a |another|some)|[\"“])"
            r"|^\W*another one is\b|\bI need (?:another|a different) (?:approach|way|method)\b"
            r"|^\W*(?:(?:but|and)\b\W*)?or,? (?:maybe|perhaps|it could|could|is it|should I)"
        ),
        "what if": rf"{AHEAD}what (?:if|about)\b",
        "try": (
            r"\b(?:let me|let's|I'll|I can|I could|I should|we can|we could|let us)\s+"
            rf"(?:just |also |now |instead )*try\b{_NO_TRY}"
            r"|^\W*(?:(?:so|but|or|hmm+|wait|ok|okay|now|next|then)\b\W*)*(?:try|trying"
            r"|suppose (?:we|a|b|x|n|the)|let's (?:say|assume|suppose|see if (?:we|I) can)"
            r"|let me (?:consider (?:a |an |that |the (?:case|possibility)|another|other)|assume"
            r"|think of (?:other|a|another|some|possible)"
            r"|think about (?:other|a different|it differently)|think in terms|see if I can"
            r"|look at (?:it|this) (?:from|another|differently)|approach))\b"
        ),
        "could it be": (
            r"\b(?:could|might) (?:it|he|she|they|this|that) (?:be|have)\b.*\?"
            r"|\bthe answer (?:is|could be|might be) (?:something|someone) else\b"
        ),
        "instead": (
            r"\b(?:instead|rather than)\b.{0,40}\b(?:I|we|let's|let me)\b.{0,20}"
            r"\b(?:try|use|can|could|should)\b"
            r"|\b(?:I|we|let's|let me)\b.{0,20}\b(?:try|use|could|should)\b.{0,50}\binstead\b"
        ),
    }
)
