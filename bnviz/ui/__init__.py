"""What the pages are made of: session state, controls read from the configuration, and the live panel's place.

URL -> state.sync -> controls (widgets) -> state.draft -> service -> live panel
"""
