"""How good descriptions are: metrics, baselines, intervals, calibration and the page of results."""
