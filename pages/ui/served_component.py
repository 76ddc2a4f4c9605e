"""A component whose script is a file of `static/`, fetched once by the browser.

Streamlit sends a component's own script along with every update, so that script is three lines that import the file.
"""

import functools
import json
from hashlib import blake2b
from typing import Any

import streamlit as st

from mlp_core.words import Message
from pages.language import languages
from pages.ui.navigation import ROOT


@functools.cache
def served_component(name: str, thing: str, *, isolate_styles: bool = False) -> Any:
    """The component of `static/<name>.js`, whose default export gets what Streamlit gives a component.

    Args:
        thing: what cannot be shown, where the file cannot be fetched: "This chart". It is said in the language of the document.
        isolate_styles: whether the page's styles do not reach it.
    """
    lost = Message("{thing} cannot be shown: {error}. Reloading the page may help.", thing=thing)
    said = json.dumps({language.code: language.say(lost, for_a_page=False) for language in languages().values()}, ensure_ascii=False)
    js = f"""export default async (component) => {{
  const url = new URL("{static_url(name)}", document.baseURI).href;
  try {{ return await (await import(url)).default(component); }}
  catch (error) {{
    const said = {said};
    component.parentElement.textContent = (said[document.documentElement.lang] ?? said.en).replace("{{error}}", () => error.message);
  }}
}}"""
    return st.components.v2.component(name, js=js, isolate_styles=isolate_styles)


@functools.cache
def static_url(name: str) -> str:
    """The address of `static/<name>.js` relative to the app; a changed file has another, or browsers would keep the old one."""
    version = blake2b((ROOT / "static" / f"{name}.js").read_bytes(), digest_size=4).hexdigest()
    return f"app/static/{name}.js?v={version}"
