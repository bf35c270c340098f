"""What a user of FastAPI writes."""

from fastapi import FastAPI, Request

app = FastAPI()


@app.get("/hello/{name}")
async def hello(name: str, request: Request) -> dict[str, object]:
    return {"hello": name, "authorization": request.headers.get("authorization")}
