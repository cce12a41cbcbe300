"""Training objectives for reward models, as functions of outcome rewards and outcome labels."""
