#!/usr/bin/python3
"""What a poll costs pymodbus: poll_pymodbus.py POLLS PORT... reads 10 registers over one
connection a port, one request in flight each, and prints the microseconds of CPU a poll."""
import asyncio
import resource
import sys

from pymodbus.client import AsyncModbusTcpClient


def cpu():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


async def read(client, polls):
    for _ in range(polls):
        reply = await client.read_holding_registers(0, 10, slave=1)
        assert len(reply.registers) == 10


async def main(polls, ports):
    clients = [AsyncModbusTcpClient("127.0.0.1", port=port, timeout=30) for port in ports]
    for client in clients:
        await client.connect()
    begin = cpu()
    await asyncio.gather(*(read(client, polls // len(clients)) for client in clients))
    print((cpu() - begin) * 1e6 / (polls // len(clients) * len(clients)))


asyncio.run(main(int(sys.argv[1]), [int(port) for port in sys.argv[2:]]))
