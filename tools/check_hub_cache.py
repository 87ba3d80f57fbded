"""Holds our hub cache against Python's huggingface_hub, both ways, on a loopback hub (run with huggingface_hub 2.4.0):

    npx tsx tools/loopback_hub.ts someone/nano=models/nano &        # prints URL
    HF_ENDPOINT=URL python tools/check_hub_cache.py

1. `bark voices` (small files) and `bark inspect` (weights) fill a cache; Python finds all of it without network.
2. Python fills a cache; `bark inspect` reads it without network, and finds out nothing more.
"""

import os
import subprocess
import tempfile

from huggingface_hub import hf_hub_download, scan_cache_dir, snapshot_download, try_to_load_from_cache
from huggingface_hub.errors import EntryNotFoundError

ID = "someone/nano"
NEEDED = [
    "config.json",
    "generation_config.json",
    "model.safetensors",
    "speaker_embeddings_path.json",
    "tokenizer.json",
    "tokenizer_config.json",
]


def bark(cache, command, *, offline=False):
    env = {**os.environ, "HF_HUB_CACHE": cache, "HF_HUB_OFFLINE": "1" if offline else "0"}
    run = ["npx", "tsx", "cli/main.ts", *command]
    return subprocess.run(run, env=env, check=True, capture_output=True, text=True).stdout


ours = tempfile.mkdtemp()
shown = bark(ours, ["inspect", ID])
bark(ours, ["voices", "-m", ID])
snapshot = snapshot_download(ID, cache_dir=ours, local_files_only=True)
for file in NEEDED:
    path = try_to_load_from_cache(ID, file, cache_dir=ours)
    assert path == os.path.join(snapshot, file), (file, path)
    assert hf_hub_download(ID, file, cache_dir=ours, local_files_only=True) == path
    with open(path, "rb") as got, open(os.path.join("models/nano", file), "rb") as expected:
        assert got.read() == expected.read(), file
scan = scan_cache_dir(ours)
assert scan.warnings == [] and [repo.repo_id for repo in scan.repos] == [ID], scan
print(f"Python finds all {len(NEEDED)} files that bark fetched")

theirs = tempfile.mkdtemp()
for file in NEEDED:
    hf_hub_download(ID, file, cache_dir=theirs)
try:
    hf_hub_download(ID, "model.safetensors.index.json", cache_dir=theirs)
except EntryNotFoundError:
    pass
first, *rest = bark(theirs, ["inspect", ID], offline=True).splitlines()
assert first == f"{ID} (cached files only)", first
assert rest == shown.splitlines()[1:], rest
print("bark reads what Python fetched, without network")
