#!/usr/bin/python3
"""Runs a benchmark with an empty PostgreSQL of its own: with_cluster.py PROGRAM [ARGUMENT...]."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration"))
from harness import Cluster  # noqa: E402

cluster = Cluster(shared_buffers="256MB", max_wal_size="4GB")
sys.exit(subprocess.call([sys.argv[1], cluster.conninfo_file(), *sys.argv[2:]]))
