"""Partners' platforms in the demo (模拟平台), each with its own dialect, over real sockets.

Offices, people and endpoints are simulated; nothing here reaches a real one.
"""
