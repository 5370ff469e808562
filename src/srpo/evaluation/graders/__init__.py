"""Graders of code beside our own (`srpo.verifiers.code`): what other judges make of a program."""
