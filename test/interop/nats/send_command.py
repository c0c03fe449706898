import asyncio
import json
import os
import uuid

import nats

NAMESPACE = os.environ.get("INTERMODAL_NAMESPACE", "intermodal")
QUEUE = "labels"


async def main() -> None:
    connection = await nats.connect(os.environ["INTERMODAL_COMMANDS"])
    command = {
        "specversion": "1.0",
        "id": str(uuid.uuid4()),
        "source": "catalogue",
        "type": "label.print",
        "queue": QUEUE,
        "data": {"bookId": "moby-dick", "copies": 2},
    }
    await connection.jetstream().publish(
        f"im.{NAMESPACE}.cmd.{QUEUE}",
        json.dumps(command).encode(),
        headers={"Nats-Msg-Id": command["id"]},
    )
    print(json.dumps(command))
    await connection.close()


asyncio.run(main())
