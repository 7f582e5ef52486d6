"""What ``speechroute check`` looks at, what it concludes, and how it tells.

`look` gathers the `facts` step by step, `judge` draws findings from them without looking at
anything else, and `render` and `document` tell both.
"""
