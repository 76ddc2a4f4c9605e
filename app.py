"""The entry point: the app's frame and navigation are in `pages.ui.navigation`, everything else in `pages`."""

if __name__ == "__main__":  # as Streamlit runs it, again and again for every visitor
    from pages.ui.navigation import run_app

    run_app()
else:  # as `streamlit run` imports it, once: what is served and done beside the pages
    from streamlit import App

    from pages.ui.disconnected import clock
    from pages.ui.guard import answer, guard_log
    from pages.ui.updates import routes

    guard_log()
    app = App(__file__, lifespan=clock, routes=routes(), on_script_error=answer)
