"""From a failure to a repair: the code around it, repairs by rule, and edits that apply wholly or not at all."""
