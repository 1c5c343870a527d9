"""Reads a study file and says of every mistake where it stands; checks nothing that needs data or code."""
