"""Grey pictures to symbols: `ladder.read` for one picture, `history.History` for the frames of a camera.

Pure: no clock but the one that is given, no randomness, no files. Imported only by a camera that is opened, so that a
till without one never loads OpenCV.
"""
