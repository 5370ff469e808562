"""Group Sequence Policy Optimization (GSPO, arXiv 2507.18071 equations 5 and 7).

    L = -1/rollouts sum over responses i of min(s_i A_i, clip(s_i) A_i)
    s_i = (pi(i) / pi_old(i))^(1/|i|), the geometric mean of the tokens' ratios

What was rewarded was the whole response, so the whole response is clipped or not. s_i moves much
less than a token's ratio, hence the small clip range. Truncated importance weights, which are of
tokens, have no place here.
"""

from __future__ import annotations

import torch
from torch import Tensor

from srpo.algorithm.losses.base import Tokens
from srpo.algorithm.losses.sample_mean import SampleMeanLoss


class GspoLoss(SampleMeanLoss):
    def ratio(self, t: Tokens) -> Tensor:
        return torch.exp(t.mean(t.logprobs - t.old_logprobs))
