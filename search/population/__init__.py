"""Population based training: who is compared, who is copied, and what a copy is trained with; imports schemas only."""
