"""What ``speechroute check`` looks at, what it concludes, and how it tells.

`facts` are gathered step by step, `judge` draws findings from them without looking at anything
else, and `render` tells both.
"""
