"""A counter, an upload and a download, and what the app sees of who asks."""

import hashlib

import streamlit as st

KEPT = bytes(range(256)) * 8192


def more() -> None:
    st.session_state.count += 1


st.session_state.setdefault("count", 0)
st.button("More", on_click=more)
st.text(f"Count: {st.session_state.count}")

given = st.file_uploader("File")
if given:
    st.text(f"Uploaded: {given.name} {given.size} {hashlib.sha256(given.getvalue()).hexdigest()}")
st.download_button("Download", KEPT, file_name="kept.bin")

for name in ("Host", "X-Forwarded-Host", "X-Forwarded-Proto", "Authorization"):
    st.text(f"{name}: {st.context.headers.get(name)}")
st.text(f"Cookies: {sorted(name for name in st.context.cookies if not name.startswith('_'))}")
st.text(f"Cookies' length: {sum(len(value) for value in st.context.cookies.values()) // 1024} KiB")
