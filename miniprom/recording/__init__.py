"""What a real server has and answers, as one file that a test can replay."""

from miniprom.recording.file import Answer, Recording, RecordingError, read_recording, write_recording
from miniprom.recording.replay import moved, samples_of

__all__ = [
    "Answer",
    "Recording",
    "RecordingError",
    "moved",
    "read_recording",
    "samples_of",
    "write_recording",
]
