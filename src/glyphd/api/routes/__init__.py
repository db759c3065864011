"""Routes: parse, one service call, return; at most ten lines each."""
