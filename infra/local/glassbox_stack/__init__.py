"""What stack.py starts, shows and takes down; README.md in the folder above says which file does what."""
