"""Changes to decoded parts that leave what they mean alone; numpy and Pillow, every chance from the generator given."""
