"""What is the same, or nearly: perceptual hashes, neighbours among them, and the sets they make."""
