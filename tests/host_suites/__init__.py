"""The HTTP clients' own test suites, and those of the mock libraries, run under recost.

    python -m tests.host_suites                     all of them
    python -m tests.host_suites requests respx      some; ``urllib3==1.26.20`` names a version
    python -m tests.host_suites --quick             the three that take the least time
    python -m tests.host_suites --keep FOLDER       with environments and sources for the next time

A suite comes from the published source distribution of the version that is installed here, else of the
newest one, and runs in an environment of its own: twice bare and once with recost's interceptors in place,
with the same options. A test whose outcome is another under recost is a difference, and so is an error of
recost's own. Where there is a difference, both are run again, up to six times, each time with the garbage
collector at other moments; what then doesn't come out the same again, bare or under recost, is unsteady.
(A warning from a finalizer, say, fails the test during which the collector happens to run.)

    suites.py         which suites there are, what they need, which of their tests are left out, and why
    environments.py   the source distribution and the environment of one suite
    runs.py           one run of a suite, and the comparison of several
    outcomes.py       pytest plugin of every run: writes down the outcome of each test
    plugin.py         pytest plugin of the run under recost: installs the interceptors, checks each event

The last two are loaded into other people's pytest runs, so they import nothing of this package.
"""
