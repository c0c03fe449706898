import asyncio
import json
import os

import nats
from nats.js.api import ConsumerConfig

NAMESPACE = os.environ.get("INTERMODAL_NAMESPACE", "intermodal")
QUEUE = "labels"


async def main() -> None:
    connection = await nats.connect(os.environ["INTERMODAL_COMMANDS"])
    # The consumer that all workers of the queue share, made where it is not there yet.
    worker = await connection.jetstream().pull_subscribe(
        f"im.{NAMESPACE}.cmd.{QUEUE}",
        durable=f"q_{QUEUE}",
        stream=f"im_{NAMESPACE}_TASKS",
        config=ConsumerConfig(ack_wait=10, max_ack_pending=-1),
    )
    [message] = await worker.fetch(1, timeout=10)
    command = json.loads(message.data)  # a CloudEvent
    print(json.dumps(command))
    await message.ack_sync()  # not before the work is done
    await connection.close()


asyncio.run(main())
