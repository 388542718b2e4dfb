"""What views of several packages are made of; views may not know each other."""
