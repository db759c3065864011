"""What the summary of a test run looks for, when pages were not tested."""

WANTING_BROWSER = "not tested for want of a browser"
