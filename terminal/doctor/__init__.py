"""What `tilld doctor` and the technician's page look at: facts as data, section by section, each with a remedy."""
