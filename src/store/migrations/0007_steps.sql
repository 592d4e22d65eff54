-- Which of the actions of a run of several one is: the run, and `1 of 2`.
ALTER TABLE actions ADD COLUMN run TEXT;
ALTER TABLE actions ADD COLUMN step TEXT;
