"""What single parts put on their page beyond the template; a module each, named by `Part.body`."""
