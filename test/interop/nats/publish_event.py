import asyncio
import json
import os
import uuid
from datetime import datetime, timezone

import nats

NAMESPACE = os.environ.get("INTERMODAL_NAMESPACE", "intermodal")


async def main() -> None:
    connection = await nats.connect(os.environ["INTERMODAL_EVENTS"])
    event = {
        "specversion": "1.0",
        "id": str(uuid.uuid4()),
        "source": "catalogue",  # who publishes
        "type": "book.catalogued",  # the contract's name
        "dataversion": "1.0",  # the contract's version
        "time": datetime.now(timezone.utc).isoformat(),
        "datacontenttype": "application/json",
        "data": {"bookId": "moby-dick", "pages": 635},
    }
    await connection.jetstream().publish(
        f"im.{NAMESPACE}.evt.{event['type']}",
        json.dumps(event).encode(),
        headers={"Nats-Msg-Id": event["id"]},  # so that publishing it again doubles nothing
    )
    print(json.dumps(event))
    await connection.close()


asyncio.run(main())
