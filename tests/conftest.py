"""Settings of the whole suite."""

from hypothesis import settings

# A busy machine is no failure; what must be quick is measured in benchmarks/.
settings.register_profile("srpo", deadline=None)
settings.load_profile("srpo")
