"""`kuayu demo`: the founding case over two real gateways; only the two offices' staff is played."""
