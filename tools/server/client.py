"""Asks a running server by OpenAI's client for Python: `python tools/server/client.py [URL]`, with `pip install openai`."""

import sys

import openai

url = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8880"
client = openai.OpenAI(base_url=f"{url}/v1", api_key="any", max_retries=0)
request = {"model": "tts-1", "voice": "alloy", "input": "Hello, my dog is cute."}

whole = client.audio.speech.create(**request, response_format="wav")
assert whole.content[:4] == b"RIFF" and len(whole.content) > 20_000, len(whole.content)
print("whole:", len(whole.content), "bytes of wav")

with client.audio.speech.with_streaming_response.create(**request, response_format="pcm") as response:
    parts = [len(part) for part in response.iter_bytes()]
assert sum(parts) > 20_000, parts
print("streamed:", len(parts), "parts,", sum(parts), "bytes of pcm, seed", response.headers["x-bark-seed"])

same = [
    client.audio.speech.create(**request, response_format="pcm", extra_body={"seed": 7}).content for _ in range(2)
]
assert same[0] == same[1], "one seed, one sound"
print("seeded: the same bytes twice")

with client.audio.speech.with_streaming_response.create(**request, stream_format="sse") as response:
    lines = [line for line in response.iter_lines() if line]
assert '"speech.audio.done"' in lines[-1], lines[-1]
print("events:", len(lines), "the last is", lines[-1])

for wrong, kind in [
    ({"speed": 2.0}, openai.BadRequestError),
    ({"voice": "nobody"}, openai.BadRequestError),
    ({"model": "none"}, openai.NotFoundError),
]:
    try:
        client.audio.speech.create(**{**request, **wrong})
        raise SystemExit(f"{wrong} was answered")
    except kind as error:
        print("refused:", error.status_code, error.code, error.param, error.request_id is not None)
print("models:", [model.id for model in client.models.list()])
