"""A client of the JSON server, in plain Python: calls as the plan says, and prints the nanoseconds of a call."""

import base64
import json
import socket
import statistics
import struct
import sys
import time

plan = json.loads(sys.argv[1])
data = base64.b64decode(plan["data"])
stream = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
stream.connect(plan["address"])
reader = stream.makefile("rb")


def call(request):
    message = json.dumps(request).encode()
    stream.sendall(struct.pack(">I", len(message)) + message)
    (length,) = struct.unpack(">I", reader.read(4))
    return json.loads(reader.read(length))


def add(number):
    if call({"add": {"a": number, "b": 1}})["sum"] != number + 1:
        sys.exit("a wrong reply")


def crc32(_):
    text = base64.b64encode(data).decode()
    if call({"crc32": {"crc": 0, "data": text}})["crc"] != plan["expected"]:
        sys.exit("a wrong reply")


operation = {"add": add, "crc32.1k": crc32}[plan["operation"]]
pause = plan["pause"]
calls = 1 if pause else plan["calls"]
samples = []
made = time.perf_counter()
warm = None
while True:
    if samples and (len(samples) >= plan["paused_calls"] if pause else time.perf_counter() - warm >= plan["time"]):
        break
    if pause:
        time.sleep(pause)
    started = time.perf_counter_ns()
    for number in range(calls):
        operation(number)
    taken = time.perf_counter_ns() - started
    if warm is not None:
        samples.append(taken / calls)
    elif time.perf_counter() - made >= plan["warm"]:
        warm = time.perf_counter()
print(statistics.median(samples))
