"""Every metric, once: which way is better, for which kinds of data it is, where it is shown and what it is called."""
