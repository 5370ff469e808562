"""Hesitation: doubt about one's own thinking, or a pause in it."""

from __future__ import annotations

from srpo.reasoning.patterns import Rules

_LITTLE = r"(?:a bit |a little |kind of |getting |somewhat |too |very |not )*"

HESITATION = Rules(
    {
        "interruption": (
            r"^\W*(?:(?:but|so|oh|hmm+|no|and|ah|ok|okay|yes|yeah)\b\W*)*"
            r"\b(?:wait|hold on|hmm+|huh|uh|um)\b"
            r"|\bhmm+\b|\bwait a (?:second|minute|moment)\b|[,.(*]\s*wait\b"
        ),
        "not sure": (
            r"\bI(?:'m| am| was)\s+(?:\w+ ){0,2}?(?:not (?:\w+ ){0,2}?"
            r"(?:sure|certain|following|getting)|unsure|confus\w+|stuck|overthinking"
            r"|over-?complicating|mixing|missing|lost|wondering if|going (?:in|around)|struggling)"
            r"|\bnot (?:entirely |really |quite |completely |totally |100% |so |too |exactly "
            r"|very )?(?:sure|certain)\b"
        ),
        "perhaps an error": (
            r"\bI (?:guess|wonder|doubt|must have|might have|may have|might be|may be|could be) "
            r"(?=mis|made|mix|over|wrong|miss|con|if|that|whether|I\b|forg|been|the\b)"
            r"|\b(?:maybe|perhaps) (?:(?:I|we)(?:'m|'re| am| are|'ve)?|there(?:'s| is))\s+(?:\w+ )?"
            r"(?:mis\w+|made|over\w+|wrong|missing|a (?:mistake|trick|catch)|an error|confus\w+"
            r"|forg\w+|not|didn't)"
        ),
        "not known": (
            r"\bI (?:don't|can't|cannot|do not) (?:think (?:that|so|it|this)|know|see (?:how|why|a)"
            r"|remember|recall|quite|seem|figure)|\bI'm not familiar\b"
        ),
        "does not fit": (
            r"\b(?:that|this|it|which) (?:doesn't|does not|didn't|don't)"
            r" (?:seem|look|sound|feel|quite|really|add up)"
            rf"|\b(?:that|this|it|which)(?:'s| is| seems| sounds| looks) {_LITTLE}"
            r"(?:confusing|strange|weird|odd|a problem\W*$|tricky|unclear|contradict\w+|complicated"
            r"|conflicting|a stretch|far-?fetched|speculative|forced|circular)"
            r"|\b(?:might|may) not be (?:the )?(?:right|correct)\b"
            r"|\bapproaching (?:it|this) wrong\b"
        ),
    }
)
