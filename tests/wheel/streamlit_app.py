"""What a user of Streamlit writes."""

import streamlit

streamlit.title("Hello")
