"""Partners' platforms (simulated 模拟), over real sockets and files; nothing of them is real."""
