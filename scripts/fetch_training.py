"""Fetch the drawings that the training benchmarks learn from into the ignored `.data/`: once, with a network.

python scripts/fetch_training.py
"""

from builtin.packages import debian, npm

EMOJI = (
    ("emojibase-data", "17.0.0"),
    ("@lobehub/fluent-emoji-3d", "1.1.0"),
    ("emoji-datasource-google", "16.0.0"),
    ("emoji-datasource-twitter", "16.0.0"),
)

if __name__ == "__main__":
    print(debian("openclipart-svg"))
    for name, version in EMOJI:
        print(npm(name, version))
