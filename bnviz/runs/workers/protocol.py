"""What the web process, the launcher and the workers say to each other; the launcher's docstring explains it."""

import struct

START, TERMINATE, KILL, WAIT = b"S", b"T", b"K", b"W"
REQUEST, REPLY = struct.Struct("<cq"), struct.Struct("<q")
RECORD, TRACEBACK = b"R", b"T"  # the first byte of a worker's message
