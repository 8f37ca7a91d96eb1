"""ask-hub.py REPO GATED: calls huggingface_hub as its users do, and prints as JSON what came of each call."""

import json
import os
import sys

import huggingface_hub
from huggingface_hub import HfApi, HfFileSystem, hf_hub_download, snapshot_download, try_to_load_from_cache

repo, gated = sys.argv[1:]
api = HfApi()
files = HfFileSystem()
said = {"version": huggingface_hub.__version__}


def ask(name, call):
    try:
        said[name] = call()
    except Exception as error:
        said[name] = type(error).__name__


def paths_below(directory):
    found = [os.path.join(parent, name) for parent, _, names in os.walk(directory) for name in names]
    return sorted(os.path.relpath(path, directory) for path in found)


def names(entries):
    return sorted(entry.path for entry in entries)


odd = "sub/deep/x y+é.json"
snapshot = snapshot_download(repo)
said["snapshot"] = snapshot
ask("files", lambda: paths_below(snapshot))
ask("part", lambda: paths_below(snapshot_download(repo, allow_patterns="*.json", cache_dir="part")))
ask("directory", lambda: sorted(path for path in paths_below(snapshot_download(repo, local_dir="directory")) if not path.startswith(".cache")))
ask("odd", lambda: open(hf_hub_download(repo, odd)).read())
ask("empty", lambda: os.path.getsize(hf_hub_download(repo, "empty.txt")))
ask("missing file", lambda: hf_hub_download(repo, "nope.json"))
ask("missing file is known to be missing", lambda: str(type(try_to_load_from_cache(repo, "nope.json")).__name__))
ask("missing repo", lambda: hf_hub_download("acme/none", "config.json"))
ask("missing revision", lambda: hf_hub_download(repo, "config.json", revision="v9"))
ask("gated", lambda: hf_hub_download(gated, "config.json"))
ask("data set", lambda: hf_hub_download("acme/ds", "x", repo_type="dataset"))
ask("sha", lambda: api.model_info(repo).sha)
ask("sizes", lambda: {one.rfilename: one.size for one in api.model_info(repo, files_metadata=True).siblings})
ask("list_repo_files", lambda: sorted(api.list_repo_files(repo)))
ask("list_repo_tree", lambda: names(api.list_repo_tree(repo)))
ask("list_repo_tree expanded", lambda: [one.last_commit.oid for one in api.list_repo_tree(repo, "sub/deep", expand=True)])
ask("get_paths_info", lambda: names(api.get_paths_info(repo, ["config.json", "sub", "zz"])))
ask("refs", lambda: [one.target_commit for one in api.list_repo_refs(repo).branches])
ask("pull requests", lambda: api.list_repo_refs(repo, include_pull_requests=True).pull_requests)
ask("commits", lambda: [one.commit_id for one in api.list_repo_commits(repo)])
ask("list_models", lambda: [one.id for one in api.list_models(search="tiny")])
ask("exists", lambda: [api.repo_exists(repo), api.file_exists(repo, "config.json"), api.file_exists(repo, "no"), api.revision_exists(repo, "v9")])
ask("whoami", lambda: api.whoami(token="hf_" + "a" * 34))
ask("auth_check", lambda: api.auth_check(repo))
ask("upload", lambda: api.upload_file(path_or_fileobj=b"x", path_in_repo="x", repo_id=repo, token="hf_" + "a" * 34))
ask("ls", lambda: sorted(files.ls(repo, detail=False)))
ask("read", lambda: files.read_text(f"{repo}/config.json"))
ask("tensors", lambda: sorted(api.get_safetensors_metadata(repo).weight_map))
with files.open(f"{repo}/model.safetensors", block_size=1000) as opened:
    opened.seek(5000)
    ask("block", lambda: opened.read(10).hex())
print(json.dumps(said))
