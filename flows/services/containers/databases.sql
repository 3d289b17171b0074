-- The second database; the first one is made by the image itself.
create database mlflow;
