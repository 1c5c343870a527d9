"""What the readers of a store ask of its tables: named by what they return, rows as schemas; knows no reader."""
