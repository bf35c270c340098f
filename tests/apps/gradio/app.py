"""Greets whoever is named, in two steps, and as a file. Its argument: the port."""

import pathlib
import sys
import tempfile
from typing import Iterator, Optional, Tuple

import gradio as gr


def greet(name: str) -> Iterator[Tuple[str, Optional[str]]]:
    yield "Hello", None
    path = pathlib.Path(tempfile.mkdtemp()) / "greeting.txt"
    path.write_text(f"Hello, {name}!")
    yield f"Hello, {name}!", str(path)


with gr.Blocks() as app:
    name = gr.Textbox(label="Name", elem_id="name")
    button = gr.Button("Greet", elem_id="greet")
    greeting = gr.Textbox(label="Greeting", elem_id="greeting")
    file = gr.File(label="File", elem_id="file")
    button.click(greet, name, [greeting, file], api_name="greet")

# Fonts of the machine: the others come from the internet.
theme = gr.themes.Base(font=["sans-serif"], font_mono=["monospace"])
app.queue().launch(
    server_name="127.0.0.1", server_port=int(sys.argv[1]), ssr_mode=False, theme=theme
)
