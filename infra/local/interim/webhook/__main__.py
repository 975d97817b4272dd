"""A stand-in for alerts/webhook, until that is there."""
import argparse
import asyncio
import json
import time
from aiohttp import web

parser = argparse.ArgumentParser()
for name in ("--listen", "--token-file", "--runbooks"):
    parser.add_argument(name)
arguments = parser.parse_args()
notes, news = [], asyncio.Condition()
beat = {"last": None, "alive": False}


async def alerts(request):
    with open(arguments.token_file) as file:
        if request.headers.get("Authorization") != "Bearer " + file.read().strip():
            return web.Response(status=401)
    body = await request.json()
    if request.path == "/heartbeat":
        beat.update(last=time.time(), alive=True)
        return web.Response()
    async with news:
        notes.append({"seq": len(notes) + 1, "received": time.time(), **{key: body[key] for key in ("receiver", "status", "groupLabels", "alerts")}})
        news.notify_all()
    for alert in body["alerts"]:
        print(alert["status"].upper(), alert["labels"], alert["annotations"].get("summary"), flush=True)
    return web.Response()


async def notifications(request):
    after, wait = int(request.query["after"]), float(request.query.get("wait", 0))
    async with news:
        try:
            await asyncio.wait_for(news.wait_for(lambda: len(notes) > after), wait)
        except asyncio.TimeoutError:
            pass
    return web.json_response({"last": len(notes), "notifications": notes[after:]})


async def healthz(_):
    return web.Response()


async def heartbeat(_):
    return web.json_response(beat)

app = web.Application()
app.add_routes([web.post("/alerts", alerts), web.post("/heartbeat", alerts), web.get("/notifications", notifications),
                web.get("/healthz", healthz), web.get("/heartbeat", heartbeat)])
host, _, port = arguments.listen.partition(":")
web.run_app(app, host=host, port=int(port), print=None)
