"""Settings of the whole suite."""

import signal

from hypothesis import settings

# A busy machine is no failure; what must be quick is measured in benchmarks/.
settings.register_profile("srpo", deadline=None)
settings.load_profile("srpo")

# A shell without job control starts what it puts in the background deaf to Control-C, and so would
# be all that tests start and stop with it.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
