"""The item list (事项清单) as the state platform publishes it: rows, their rules, their files.

A family of its own beside `rules.catalogue`: that one judges what may be exchanged, by items with
forms and materials; this one is the register of everything an office does, most of which never
crosses a region. Neither needs the other to decide.
"""
