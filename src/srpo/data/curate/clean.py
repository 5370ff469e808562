from srpo.data.candidate import Candidate


def clean(candidate: Candidate) -> Candidate:
    return candidate
