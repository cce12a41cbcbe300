"""The typed vocabulary of a run: plain data, no behaviour beyond what the data means.

Every name is the word `docs/words.md` gives it; modules are named for what they hold.
"""
