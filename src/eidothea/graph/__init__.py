"""The loop, as LangGraph graphs: `research` over rounds, `experiment` over one idea."""

import os

# Checkpoints may then only hold the types that the state's schema names.
os.environ.setdefault("LANGGRAPH_STRICT_MSGPACK", "true")
